from twin.migrations import run

revision = "0014"
down_revision = "0013"
upgrade = run("0014_brick.sql")
