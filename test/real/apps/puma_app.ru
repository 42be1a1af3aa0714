# A bare Rack app for Puma: `puma --bind tcp://127.0.0.1:PORT puma_app.ru`.

require_relative 'answers'

run(lambda do |env|
  fields = env.select { |key, _| key.start_with?('HTTP_') }.map { |key, value| [key[5..].tr('_', '-').downcase, value] }
  status, media_type, body = Answers.answer(env['PATH_INFO'], fields) { env['rack.input'].read }
  head = { 'Content-Type' => media_type, 'Content-Length' => body.bytesize.to_s }
  [status, head, env['REQUEST_METHOD'] == 'HEAD' ? [] : [body]]
end)
