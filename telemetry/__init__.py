"""Points, the readings that come in for them, their history, and commands that go out."""
