<?php
// The same four paths as answers.py on PHP's own development server: `php -S 127.0.0.1:PORT php_app.php`.

const PLAIN = 'text/plain; charset=us-ascii';
const JSON = 'application/json';

function numbered_bytes(int $count): string
{
    $lines = '';
    for ($line = 0; $line * 16 < $count; $line++) {
        $lines .= sprintf("%015d\n", $line);
    }
    return substr($lines, 0, $count);
}

function json_document(int $count): string
{
    $rows = [];
    for ($id = 0; $id < max(1, intdiv($count, 88)); $id++) {
        $rows[] = ['id' => $id, 'text' => sprintf('%064d', $id)];
    }
    return json_encode(['count' => count($rows), 'rows' => $rows]);
}

function answer(string $path): array
{
    if (preg_match('#^/(bytes|json)/([0-9]{1,10})$#', $path, $sized)) {
        $count = (int) $sized[2];
        return $sized[1] === 'bytes' ? [200, PLAIN, numbered_bytes($count)] : [200, JSON, json_document($count)];
    }
    if ($path === '/echo') {
        $body = file_get_contents('php://input');
        return [200, JSON, json_encode(['sha256' => hash('sha256', $body), 'length' => strlen($body)])];
    }
    if ($path === '/headers') {
        $fields = getallheaders();
        return [200, JSON, json_encode(array_map(null, array_keys($fields), array_values($fields)))];
    }
    return [404, PLAIN, "no such path\n"];
}

[$status, $mediaType, $body] = answer(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));
http_response_code($status);
header("Content-Type: $mediaType");
header('Content-Length: ' . strlen($body));
if ($_SERVER['REQUEST_METHOD'] !== 'HEAD') {
    echo $body;
}
