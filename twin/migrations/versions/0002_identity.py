from twin.migrations import run

revision = "0002"
down_revision = "0001"
upgrade = run("0002_identity.sql")
