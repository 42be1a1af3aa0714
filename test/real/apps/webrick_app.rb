# WEBrick, the server that came with Ruby: `ruby webrick_app.rb PORT`.

require 'webrick'
require_relative 'answers'

server = WEBrick::HTTPServer.new(
  BindAddress: '127.0.0.1', Port: Integer(ARGV.fetch(0)), AccessLog: [], Logger: WEBrick::Log.new($stderr, WEBrick::Log::WARN)
)
server.mount_proc('/') do |request, response|
  fields = request.enum_for(:each).to_a
  response.status, response.content_type, response.body = Answers.answer(request.path, fields) { request.body || '' }
end
trap('TERM') { server.shutdown }
server.start
