// Java's own HttpClient as it is without a word about versions: it offers h2c with each first request.

import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;

class OfferingClient {
  public static void main(String[] args) throws Exception {
    URI uri = URI.create(args[0]);
    String body = "hello".repeat(40_000);
    HttpRequest.Builder request = HttpRequest.newBuilder(uri);
    ask(request.GET());
    ask(request.POST(BodyPublishers.ofString(body)));
    ask(request.POST(BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body.getBytes()))));
    ask(request.POST(BodyPublishers.ofString(body)).expectContinue(true));
  }

  /** With a client of its own, and once more over the same connection. */
  private static void ask(HttpRequest.Builder builder) throws Exception {
    HttpClient client = HttpClient.newHttpClient();
    for (int time = 0; time < 2; time += 1) {
      var response = client.send(builder.build(), BodyHandlers.ofString());
      System.out.println(response.version() + " " + response.statusCode() + " " + response.body());
    }
  }
}
