from twin.migrations import run

revision = "0003"
down_revision = "0002"
upgrade = run("0003_model.sql")
