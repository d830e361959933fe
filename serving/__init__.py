"""From suggestions to people: command line, HTTP API and web desk."""
