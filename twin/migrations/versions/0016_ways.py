from twin.migrations import run

revision = "0016"
down_revision = "0015"
upgrade = run("0016_ways.sql")
