"""The only importer of FastAPI: application, routes, live socket, command line. It wires everything together."""
