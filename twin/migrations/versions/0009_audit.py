from twin.migrations import run

revision = "0009"
down_revision = "0008"
upgrade = run("0009_audit.sql")
