from twin.migrations import run

revision = "0027"
down_revision = "0026"
upgrade = run("0027_dashboards.sql")
