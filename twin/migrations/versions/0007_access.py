from twin.migrations import run

revision = "0007"
down_revision = "0006"
upgrade = run("0007_access.sql")
