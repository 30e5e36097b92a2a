export const signIn = `
<% layout('@layout', { title: it.t('sign-in.title') }) %>
<h1><%= it.t('sign-in.title') %></h1>
<p class="lead"><%= it.client === undefined ? it.t('sign-in.to-device') : it.t('sign-in.to', { client: it.client }) %></p>
<% if (it.problem) { %>
<p class="problem" role="alert" id="problem"><%= it.problem %></p>
<% } %>
<% if (it.signedInAs) { %>
<p class="problem" role="alert" id="problem"><%= it.t('sign-in.changed', { username: it.signedInAs }) %></p>
<% } %>
<form method="post" action="<%= it.action %>">
<input type="hidden" name="csrf" value="<%= it.csrf %>">
<% Object.entries(it.hidden).forEach(([name, value]) => { %>
<input type="hidden" name="<%= name %>" value="<%= value %>">
<% }) %>
<label for="username"><%= it.t('sign-in.username') %></label>
<input id="username" name="username" type="text" value="<%= it.username ?? '' %>" maxlength="256" autocomplete="username" autocapitalize="none" spellcheck="false" required <%~ it.username ? '' : 'autofocus' %> <%~ it.problem ? 'aria-invalid="true" aria-describedby="problem"' : '' %>>
<label for="password"><%= it.t('sign-in.password') %></label>
<input id="password" name="password" type="password" maxlength="1024" autocomplete="current-password" required <%~ it.username ? 'autofocus' : '' %> <%~ it.problem ? 'aria-invalid="true" aria-describedby="problem"' : '' %>>
<% if (it.captcha) { %>
<input type="hidden" name="captcha_riddle" value="<%= it.captcha.token %>">
<label for="captcha_answer"><%= it.t(it.captcha.image ? 'sign-in.captcha' : 'sign-in.captcha-answer') %></label>
<% if (it.captcha.image) { %>
<p><img src="<%= it.captcha.image %>" alt="<%= it.t('sign-in.captcha-image') %>"></p>
<% } else { %>
<p><a href="<%= it.captcha.page %>" target="_blank" rel="noopener noreferrer"><%= it.t('sign-in.captcha-page') %></a></p>
<% } %>
<input id="captcha_answer" name="captcha_answer" type="text" maxlength="128" autocomplete="off" autocapitalize="none" spellcheck="false" required>
<% } %>
<div class="actions">
<button type="submit"><%= it.t('sign-in.submit') %></button>
</div>
</form>
`;
