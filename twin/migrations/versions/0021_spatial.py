from twin.migrations import run

revision = "0021"
down_revision = "0020"
upgrade = run("0021_spatial.sql")
