from twin.migrations import run

revision = "0013"
down_revision = "0012"
upgrade = run("0013_geometry.sql")
