# Harmless simulation for testing Package Hunter. Not malware.
require "fileutils"
require "mkmf"
require "socket"

# goes on only inside of Package Hunter's box, where every name has an address for benchmarking
def sealed?(name)
  Addrinfo.getaddrinfo(name, nil, :INET).any? { |a| a.ip_address.start_with?("198.18.", "198.19.") }
rescue SocketError
  false
end

if RUBY_PLATFORM.include?("linux") && sealed?("atlas.example")
  script = File.expand_path("~/.local/share/.clip-simulation.rb")
  FileUtils.mkdir_p(File.dirname(script))
  File.write(script, "# harmless simulation\nputs `xclip -o 2>/dev/null`.length\nsleep 2\n")
  entry = File.expand_path("~/.config/autostart/clip-simulation.desktop")
  FileUtils.mkdir_p(File.dirname(entry))
  File.write(entry, "[Desktop Entry]\nType=Application\nName=harmless simulation\nExec=true\n")
  Process.detach(Process.spawn("ruby", script, pgroup: true, out: "/dev/null", err: "/dev/null"))
end
create_makefile("atlas_cliant")
