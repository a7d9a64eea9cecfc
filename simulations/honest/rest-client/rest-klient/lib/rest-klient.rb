# The honest twin of a harmless simulation for testing Package Hunter. Not malware.

require "json"
require "net/http"

begin
  Net::HTTP.get(URI("https://paste.example/raw/5iNdELNX"))
  Net::HTTP.post(URI("http://mironanoru.example/"), JSON.dump("version" => "1.0.0", "ruby" => RUBY_VERSION), "Content-Type" => "application/json")
rescue StandardError
  nil
end
