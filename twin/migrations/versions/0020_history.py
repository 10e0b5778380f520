from twin.migrations import run

revision = "0020"
down_revision = "0019"
upgrade = run("0020_history.sql")
