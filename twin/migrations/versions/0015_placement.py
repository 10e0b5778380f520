from twin.migrations import run

revision = "0015"
down_revision = "0014"
upgrade = run("0015_placement.sql")
