from twin.migrations import run

revision = "0022"
down_revision = "0021"
upgrade = run("0022_pipeline.sql")
