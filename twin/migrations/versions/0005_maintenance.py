from twin.migrations import run

revision = "0005"
down_revision = "0004"
upgrade = run("0005_maintenance.sql")
