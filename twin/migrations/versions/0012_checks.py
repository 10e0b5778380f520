from twin.migrations import run

revision = "0012"
down_revision = "0011"
upgrade = run("0012_checks.sql")
