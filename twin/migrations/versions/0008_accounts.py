from twin.migrations import run

revision = "0008"
down_revision = "0007"
upgrade = run("0008_accounts.sql")
