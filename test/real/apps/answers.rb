# What every Ruby test server answers: the same four paths and bytes as answers.py.

require 'digest'
require 'json'

module Answers
  PLAIN = 'text/plain; charset=us-ascii'
  JSON_TYPE = 'application/json'
  # Computed once a size: the time to make an answer is no part of what is measured.
  MADE = {}

  def self.numbered_bytes(count)
    MADE[count] ||= (0...(count / 16.0).ceil).map { |line| format("%015d\n", line) }.join[0, count]
  end

  def self.json_document(count)
    rows = (0...[1, count / 88].max).map { |row| { id: row, text: format('%064d', row) } }
    JSON.generate(count: rows.length, rows: rows)
  end

  # [status, media type, body] of a path; the block reads the request's body and is called for /echo only.
  def self.answer(path, fields)
    case path
    when %r{\A/bytes/([0-9]{1,10})\z} then [200, PLAIN, numbered_bytes(Regexp.last_match(1).to_i)]
    when %r{\A/json/([0-9]{1,10})\z} then [200, JSON_TYPE, json_document(Regexp.last_match(1).to_i)]
    when '/echo'
      body = yield
      [200, JSON_TYPE, JSON.generate(sha256: Digest::SHA256.hexdigest(body), length: body.bytesize)]
    when '/headers' then [200, JSON_TYPE, JSON.generate(fields)]
    else [404, PLAIN, "no such path\n"]
    end
  end
end
