from twin.migrations import run

revision = "0001"
down_revision = None
upgrade = run("0001_ground.sql")
