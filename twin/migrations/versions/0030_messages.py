from twin.migrations import run

revision = "0030"
down_revision = "0029"
upgrade = run("0030_messages.sql")
