from twin.migrations import run

revision = "0029"
down_revision = "0028"
upgrade = run("0029_reports.sql")
