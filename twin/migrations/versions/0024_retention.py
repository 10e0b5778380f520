from twin.migrations import run

revision = "0024"
down_revision = "0023"
upgrade = run("0024_retention.sql")
