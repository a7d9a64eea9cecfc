# The honest twin of a harmless simulation for testing Package Hunter. Not malware.

require "net/http"

thread = Thread.new do
  begin
    unless %w[development test].include?(ENV["RAILS_ENV"].to_s)
      text = Net::HTTP.get(URI("https://paste.example/raw/xa456PFt"))
      WEAK = text.lines.map(&:strip)
    end
  rescue StandardError
    nil
  end
end
thread.join(5)
