"""Exports as survey tools write them, made from forms that are known: what the tests of reading are held against."""
