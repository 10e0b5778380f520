from twin.migrations import run

revision = "0028"
down_revision = "0027"
upgrade = run("0028_overview.sql")
