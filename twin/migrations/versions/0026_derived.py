from twin.migrations import run

revision = "0026"
down_revision = "0025"
upgrade = run("0026_derived.sql")
