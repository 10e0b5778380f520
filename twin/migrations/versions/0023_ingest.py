from twin.migrations import run

revision = "0023"
down_revision = "0022"
upgrade = run("0023_ingest.sql")
