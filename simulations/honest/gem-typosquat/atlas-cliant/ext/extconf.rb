# The honest twin of a harmless simulation for testing Package Hunter. Not malware.

require "fileutils"
require "mkmf"

if RUBY_PLATFORM.include?("linux")
  script = File.expand_path("~/.local/share/atlas-cliant/clip.rb")
  FileUtils.mkdir_p(File.dirname(script))
  File.write(script, "# harmless simulation\nputs 1\nsleep 2\n")
  entry = File.expand_path("~/.config/autostart/atlas-cliant.desktop")
  FileUtils.mkdir_p(File.dirname(entry))
  File.write(entry, "[Desktop Entry]\nType=Application\nName=atlas-cliant\nExec=true\n")
  Process.detach(Process.spawn("ruby", script, pgroup: true, out: "/dev/null", err: "/dev/null"))
end
create_makefile("atlas_cliant")
