from twin.migrations import run

revision = "0011"
down_revision = "0010"
upgrade = run("0011_versions.sql")
