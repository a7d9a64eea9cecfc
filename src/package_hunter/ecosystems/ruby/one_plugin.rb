# Runs `gem` with one RubyGems plugin, or with none ("-"), in place of all that gems have brought: so a plugin acts in
# a command of its own, and not in those of other gems.
# Usage: one_plugin.rb PLUGIN|- ARGUMENTS OF GEM
require "rubygems"
only = ARGV.shift
Gem.define_singleton_method(:load_env_plugins) {}
Gem.define_singleton_method(:load_plugins) do
  begin
    load only unless only == "-"
  rescue ::Exception => error # as RubyGems itself does: a plugin that fails stops nothing
    warn "Error loading RubyGems plugin #{only.inspect}: #{error.message} (#{error.class})"
  end
end
require "rubygems/gem_runner" # loads the plugins
begin
  Gem::GemRunner.new.run ARGV.clone
rescue Gem::SystemExitException => error
  exit error.exit_code
end
