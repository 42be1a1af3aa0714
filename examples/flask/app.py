"""A Flask view that answers a POST without reading its body."""

from flask import Flask, Response

ROWS = 55_000

app = Flask(__name__)


@app.get("/")
def home():
    return "POST to /report\n"


@app.post("/report")
def report():
    text = "\n".join(f"{row},{row:064d}" for row in range(ROWS))
    return Response(text, mimetype="text/csv", headers={"Connection": "close"})
