from django.http import JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt

ROWS = 55_000


def home(request):
    return render(request, "reports/home.html")


@csrf_exempt
def report(request):
    """The case of Django ticket 32472: a large JSON answer, and a request body that nobody reads."""
    rows = [{"id": row, "text": f"{row:064d}"} for row in range(ROWS)]
    response = JsonResponse({"count": len(rows), "rows": rows})
    response["Content-Length"] = str(len(response.content))
    return response
