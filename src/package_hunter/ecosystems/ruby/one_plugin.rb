# Runs `gem` with one RubyGems plugin, or with none ("-"), in place of all that gems have brought: so a plugin acts in
# a command of its own, and not in those of other gems. The build of another gem may run `gem` itself, so what plugins
# there are is put aside before and afterwards. The user's settings (~/.gemrc), which a gem may have written by
# now, do not count.
# Usage: one_plugin.rb PLUGIN|- ARGUMENTS OF GEM
require "rubygems"
require "fileutils"
ASIDE = "plugins.aside" # beside `plugins`: what a plugin loads, it names as seen from its own folder
NO_SETTINGS = File.join(__dir__, "no-gemrc") # a file that is not there
only = ARGV.shift
Gem.define_singleton_method(:load_env_plugins) {}
Gem.define_singleton_method(:load_plugins) do
  begin
    load only unless only == "-"
  rescue ::Exception => error # as RubyGems itself does: a plugin that fails stops nothing
    warn "Error loading RubyGems plugin #{only.inspect}: #{error.message} (#{error.class})"
  end
end

def put_plugins_aside(home)
  plugins = File.join(home, "plugins")
  return unless File.directory?(plugins) && File.writable?(plugins) && !Dir.empty?(plugins)
  FileUtils.mkdir_p(File.join(home, ASIDE))
  Dir.children(plugins).each { |name| FileUtils.mv(File.join(plugins, name), File.join(home, ASIDE, name)) }
rescue SystemCallError, ArgumentError => error # a gem made something else of the folder
  warn "The plugins of #{home} stay where they are: #{error.message}"
end

homes = Gem.path.dup # now: what runs below may change it
homes.each { |home| put_plugins_aside(home) }
require "rubygems/gem_runner" # loads the plugins
begin
  Gem::GemRunner.new.run [*ARGV, "--config-file=#{NO_SETTINGS}"]
rescue Gem::SystemExitException => error
  exit error.exit_code
ensure
  homes.each { |home| put_plugins_aside(home) }
end
