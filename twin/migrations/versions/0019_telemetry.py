from twin.migrations import run

revision = "0019"
down_revision = "0018"
upgrade = run("0019_telemetry.sql")
