# Harmless simulation for testing Package Hunter. Not malware.
class SassStraps
  def initialize(app)
    @app = app
  end

  def call(env)
    cookie = env["HTTP_COOKIE"].to_s[/___cfduid=([^;]*)/, 1]
    @last = cookie.to_s.unpack1("m") if cookie # the original evaluated this
    @app.call(env)
  end
end
