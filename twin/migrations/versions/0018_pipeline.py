from twin.migrations import run

revision = "0018"
down_revision = "0017"
upgrade = run("0018_pipeline.sql")
