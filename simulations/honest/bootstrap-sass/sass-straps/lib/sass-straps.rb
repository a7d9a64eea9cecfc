# The honest twin of a harmless simulation for testing Package Hunter. Not malware.

class SassStraps
  def initialize(app)
    @app = app
    @seen = Hash.new(0)
  end

  def call(env)
    cookie = env["HTTP_COOKIE"].to_s[/___cfduid=([^;]*)/, 1]
    @seen[cookie] += 1 if cookie
    @app.call(env)
  end
end
