from twin.migrations import run

revision = "0010"
down_revision = "0009"
upgrade = run("0010_api_clients.sql")
