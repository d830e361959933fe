"""The wire types of the API: the only place that knows pydantic models of requests and answers."""
