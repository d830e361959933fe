"""The web desk: templates, their filters, and what pages compute before they are rendered."""
