"""What each page says: from the input of the site to the context of a template. Knows no HTML."""
