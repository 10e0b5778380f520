"""`python -m api` is `twin`."""

from api.cli import main

main(prog_name="twin")
