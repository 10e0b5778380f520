from twin.migrations import run

revision = "0025"
down_revision = "0024"
upgrade = run("0025_points.sql")
