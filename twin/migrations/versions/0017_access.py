from twin.migrations import run

revision = "0017"
down_revision = "0016"
upgrade = run("0017_access.sql")
