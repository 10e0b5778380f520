from twin.migrations import run

revision = "0004"
down_revision = "0003"
upgrade = run("0004_telemetry.sql")
